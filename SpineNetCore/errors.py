"""What a user can mend, said in one sentence."""


class InputError(Exception):
    """The request or the input is at fault: the message quotes the bad value and says what to do about it."""
