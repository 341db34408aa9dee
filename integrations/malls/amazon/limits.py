"""How often Amazon lets each operation be called: per seller and application (the mall's fact sheet, §2 to §6).

The consent server and presigned addresses have no published limit.
"""

from domain.model.malls import Bucket

PATCH_LISTING = Bucket("amazon.patchListingsItem", rate=5, burst=5)
GET_LISTING = Bucket("amazon.getListingsItem", rate=5, burst=10)
SEARCH_LISTINGS = Bucket("amazon.searchListingsItems", rate=5, burst=5)
SEARCH_ORDERS = Bucket("amazon.searchOrders", rate=0.0056, burst=20)
GET_ORDER = Bucket("amazon.getOrder", rate=0.5, burst=30)
CREATE_REPORT = Bucket("amazon.createReport", rate=0.0167, burst=15)
GET_REPORTS = Bucket("amazon.getReports", rate=0.0222, burst=10)
GET_REPORT = Bucket("amazon.getReport", rate=2, burst=15)
GET_REPORT_DOCUMENT = Bucket("amazon.getReportDocument", rate=0.0167, burst=15)
CREATE_FEED = Bucket("amazon.createFeed", rate=0.0083, burst=15)
FEEDS_IN_FIVE_MINUTES = Bucket("amazon.feeds", rate=5 / 300, burst=5)
CREATE_FEED_DOCUMENT = Bucket("amazon.createFeedDocument", rate=0.5, burst=15)
GET_FEED = Bucket("amazon.getFeed", rate=2, burst=15)
GET_FEED_DOCUMENT = Bucket("amazon.getFeedDocument", rate=0.0222, burst=10)
