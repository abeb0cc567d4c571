"""What is known of a token bucket from outside: by what was taken, and by what answers tell."""

import pytest

from lanyard.azure.throttling.bucket import Bucket, Limit

WRITES = Limit(200, 10)


def drained(bucket: Bucket, now: float = 0) -> int:
    """How many calls go out at once."""
    count = 0
    while bucket.wait(now) == 0:
        bucket.take()
        count += 1
    return count


def test_what_is_published_goes_out_at_once_but_for_the_reserve() -> None:
    assert drained(Bucket(WRITES, reserve=20, at=0)) == 180


def test_after_that_calls_go_out_as_tokens_come_back() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    drained(bucket)
    assert bucket.wait(0) == 0.1
    bucket.take()  # it waits for its turn, and the next one longer
    assert bucket.wait(0) == 0.2
    assert bucket.wait(0.2) == 0
    assert drained(bucket, 1e6) == 180, "no more than the bucket holds"


def test_nobody_knows_how_much_is_left_before_the_first_answer() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0, probes=4)
    assert drained(bucket) == 4
    bucket.heed(196, bucket.taken, 0)
    assert drained(bucket) == 176


def test_what_others_take_is_taken_off_at_once() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    taken = bucket.take()
    bucket.heed(50, taken, 0)
    assert drained(bucket) == 30


def test_calls_made_since_the_answer_was_given_are_taken_off_it() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    first = bucket.take()
    for _ in range(10):
        bucket.take()
    bucket.heed(60, first, 0)
    assert drained(bucket) == 30


def test_good_news_is_believed_by_halves() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    bucket.heed(40, bucket.take(), 0)
    bucket.heed(139, bucket.take(), 0)
    assert bucket.tokens == 39 + 50


def test_a_refusal_closes_the_bucket_for_as_long_as_azure_asks() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    bucket.close(0, 17)
    assert bucket.wait(0) == 17
    assert bucket.wait(16.5) == 0.5
    assert drained(bucket, 17) <= 2, "and then it opens slowly"


def test_who_is_turned_away_comes_back_each_at_a_time_of_its_own() -> None:
    bucket = Bucket(Limit(10, 2), reserve=0, at=0)
    drained(bucket)
    assert [bucket.turn_away(bucket.wait(0), 0) for _ in range(3)] == [0.5, 1.0, 1.5]
    assert bucket.turn_away(bucket.wait(60), 60) == 0, "the line has drained meanwhile"


def test_an_answer_that_tells_of_more_than_is_published_does_not_widen_the_bucket() -> None:
    bucket = Bucket(WRITES, reserve=0, at=0, probes=4)
    bucket.heed(11999, bucket.take(), 0)
    assert drained(bucket) == 200


def test_a_long_line_begins_again_at_its_head() -> None:
    bucket = Bucket(Limit(10, 2), reserve=0, at=0)
    drained(bucket)
    delays = [bucket.turn_away(bucket.wait(0), 0) for _ in range(100)]
    assert max(delays) < 8.5
    assert min(delays) == 0.5


def test_what_others_are_seen_to_take_is_not_counted_on() -> None:
    """Two of us, who take a token in turns: half of what comes back is the other's."""
    bucket = Bucket(WRITES, reserve=20, at=0)
    left, now = 200.0, 0.0
    for _ in range(100):
        left, now = min(left + 1, 200) - 2, now + 0.1
        bucket.heed(left, bucket.take(), now)
    assert bucket.use.share == pytest.approx(0.5, abs=0.05)


def test_alone_everything_is_counted_on() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    for number in range(50):
        bucket.heed(199 - number, bucket.take(), 0)
    assert bucket.use.share == 1


def test_after_refusals_less_is_counted_on_for_a_while() -> None:
    bucket = Bucket(WRITES, reserve=20, at=0)
    bucket.close(0, 1)
    bucket.close(0, 1)
    assert bucket.wait(0) == 1
    drained(bucket, 1)
    assert bucket.wait(1) == pytest.approx(0.2, rel=0.1), "half as fast, not a quarter"
    drained(bucket, 60)
    assert bucket.wait(60) == pytest.approx(0.1)
