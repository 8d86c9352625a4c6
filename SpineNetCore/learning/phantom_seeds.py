"""Which seeds phantoms are drawn from, so that none to be measured on is ever learned from."""

MOST_TO_LEARN_FROM = 1_000_000
"""Training draws seeds from 0 upwards, and never more than this."""

FIRST_TO_TEST_ON, FIRST_TO_VALIDATE_ON, FIRST_OF_SCORECARD = 10_000_000, 20_000_000, 30_000_000
