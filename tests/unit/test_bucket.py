"""What is known of a token bucket from outside: by what was taken, and by what answers tell."""

from lanyard.azure.bucket import Bucket, Limit

WRITES = Limit(200, 10)


def drained(bucket: Bucket, now: float = 0) -> int:
    """How many calls go out at once."""
    count = 0
    while bucket.wait(now) == 0:
        bucket.take()
        count += 1
    return count


def test_what_is_published_goes_out_at_once_but_for_the_reserve() -> None:
    assert drained(Bucket(WRITES, 20, 0)) == 180


def test_after_that_calls_go_out_as_tokens_come_back() -> None:
    bucket = Bucket(WRITES, 20, 0)
    drained(bucket)
    assert bucket.wait(0) == 0.1
    bucket.take()  # it waits for its turn, and the next one longer
    assert bucket.wait(0) == 0.2
    assert bucket.wait(0.2) == 0
    assert drained(bucket, 1e6) == 180, "no more than the bucket holds"


def test_nobody_knows_how_much_is_left_before_the_first_answer() -> None:
    bucket = Bucket(WRITES, 20, 0, probes=4)
    assert drained(bucket) == 4
    bucket.heed(196, bucket.taken, 0)
    assert drained(bucket) == 176


def test_what_others_take_is_taken_off_at_once() -> None:
    bucket = Bucket(WRITES, 20, 0)
    taken = bucket.take()
    bucket.heed(50, taken, 0)
    assert drained(bucket) == 30


def test_calls_made_since_the_answer_was_given_are_taken_off_it() -> None:
    bucket = Bucket(WRITES, 20, 0)
    first = bucket.take()
    for _ in range(10):
        bucket.take()
    bucket.heed(60, first, 0)
    assert drained(bucket) == 30


def test_good_news_is_believed_by_halves() -> None:
    bucket = Bucket(WRITES, 20, 0)
    bucket.heed(40, bucket.take(), 0)
    bucket.heed(139, bucket.take(), 0)
    assert bucket.tokens == 39 + 50


def test_a_refusal_closes_the_bucket_for_as_long_as_azure_asks() -> None:
    bucket = Bucket(WRITES, 20, 0)
    bucket.close(0, 17)
    assert bucket.wait(0) == 17
    assert bucket.wait(16) == 1
    assert drained(bucket, 17) == 1, "and then it opens slowly"


def test_who_is_turned_away_comes_back_each_at_a_time_of_its_own() -> None:
    bucket = Bucket(Limit(10, 2), 0, 0)
    drained(bucket)
    assert [bucket.turn_away(0) for _ in range(3)] == [0.5, 1.0, 1.5]
    assert bucket.turn_away(60) == 0, "the line has drained meanwhile"


def test_an_answer_that_tells_of_more_than_is_published_does_not_widen_the_bucket() -> None:
    bucket = Bucket(WRITES, 0, 0, probes=4)
    bucket.heed(11999, bucket.take(), 0)
    assert drained(bucket) == 200
