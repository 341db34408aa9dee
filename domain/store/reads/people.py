"""担当者とトークン Lists of the people of an account and of its tokens, oldest first."""

from domain.store.reads.filters import OLDEST_FIRST
from domain.store.reads.models import Paged

USERS = Paged("User", OLDEST_FIRST)
API_TOKENS = Paged("ApiToken", OLDEST_FIRST)
