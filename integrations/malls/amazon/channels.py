"""Who keeps and ships the units of a listing (the mall's fact sheet, §3 and §8)."""

OWN_CHANNEL = "DEFAULT"
AMAZON_CHANNELS = "AMAZON_"


def stored_at_amazon(channel: str) -> bool:
    """True for AMAZON_JP and its like: FBA."""
    return channel.startswith(AMAZON_CHANNELS)
