"""The one error the command shows as it is: a sentence that says what is wrong and what to do."""


class Refusal(Exception):
    """Renkei does not start, or does not go on, until its caller changes something."""
