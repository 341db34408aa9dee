"""Every read model, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from domain.store.reads.account import ACCOUNT
from domain.store.reads.actors import API_TOKEN, USER
from domain.store.reads.code_mappings import CODE_MAPPING
from domain.store.reads.explanations import EXPLANATION_STEP
from domain.store.reads.exposures import EXPOSURE, SHOP_EXPOSURE
from domain.store.reads.feeds import STOCK_FEED
from domain.store.reads.jobs import (
    BULK_FAILURE,
    CHECK_PART,
    JOB,
    ORDER_FETCH_SHOP,
    REFLECT_SHOP_PROGRESS,
)
from domain.store.reads.link_candidates import LINK_CANDIDATE
from domain.store.reads.listing_fields import MALL_FIELD_VALUE
from domain.store.reads.listings import LINK, LISTING, PUSH
from domain.store.reads.logs import MALL_UPDATE_LOG, OPERATION_LOG, SALES_LOG
from domain.store.reads.models import Model
from domain.store.reads.near_codes import NEAR_CODE
from domain.store.reads.orders import ORDER, ORDER_LINE, REACHED_SHOP
from domain.store.reads.oversell_moments import OVERSELL_MOMENT
from domain.store.reads.oversells import OVERSELL_INCIDENT
from domain.store.reads.partner import STOCK_AT, STOCK_ENTRY
from domain.store.reads.products import PRODUCT, PRODUCT_ATTRIBUTE, PRODUCT_GROUP, SET_PART
from domain.store.reads.query import QUERY
from domain.store.reads.schedules import FULL_SYNC_SCHEDULE
from domain.store.reads.shops import CREDENTIAL_STATE, SETTING_VALUE, SHOP
from domain.store.reads.stock import STOCK_MOVEMENT
from domain.store.reads.sync_errors import SYNC_ERROR
from domain.store.reads.sync_runs import SYNC_RUN

NODES: Mapping[str, Model] = MappingProxyType(
    {
        model.name: model
        for model in (
            ACCOUNT,
            API_TOKEN,
            CODE_MAPPING,
            JOB,
            LINK,
            LISTING,
            MALL_UPDATE_LOG,
            OPERATION_LOG,
            ORDER,
            ORDER_LINE,
            OVERSELL_INCIDENT,
            PRODUCT,
            PRODUCT_GROUP,
            PUSH,
            FULL_SYNC_SCHEDULE,
            SALES_LOG,
            SHOP,
            STOCK_MOVEMENT,
            SYNC_ERROR,
            SYNC_RUN,
            USER,
        )
    }
)
"""What has a global id."""

MODELS: Mapping[str, Model] = MappingProxyType(
    {
        **NODES,
        **{
            model.name: model
            for model in (
                QUERY,
                BULK_FAILURE,
                CHECK_PART,
                CREDENTIAL_STATE,
                LINK_CANDIDATE,
                MALL_FIELD_VALUE,
                NEAR_CODE,
                EXPLANATION_STEP,
                EXPOSURE,
                SHOP_EXPOSURE,
                OVERSELL_MOMENT,
                PRODUCT_ATTRIBUTE,
                REACHED_SHOP,
                ORDER_FETCH_SHOP,
                REFLECT_SHOP_PROGRESS,
                SET_PART,
                SETTING_VALUE,
                STOCK_AT,
                STOCK_ENTRY,
                STOCK_FEED,
            )
        },
    }
)
