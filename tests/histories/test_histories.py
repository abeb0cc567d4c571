"""Any short history, by chance: after each of its steps all that is promised holds."""

from hypothesis import HealthCheck, given, settings

from tests.support.histories.play import History, play
from tests.support.histories.strategies import histories


@settings(
    max_examples=200,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    print_blob=False,
)
@given(histories())
def test_what_is_promised_holds_after_each_step(told: History) -> None:
    play(told)
