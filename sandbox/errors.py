"""What cannot be done, in words for the person at the screen."""


class DeskError(Exception):
    """What was asked for cannot be done; the message says why, for the person at the screen."""


class ServiceError(Exception):
    """A service gave no usable answer; the message says why, for the person at the screen.

    Args:
        text: the message.
        may_pass: whether it may be otherwise in a moment.
    """

    def __init__(self, text: str, *, may_pass: bool = False) -> None:
        """Keep the text, and whether trying again makes sense."""
        super().__init__(text)
        self.may_pass = may_pass
