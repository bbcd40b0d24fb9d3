"""The demo shop's segments are those that were made."""

from itertools import permutations


def test_channels_made_clearly_more_satisfied_have_the_higher_score(demo, truth):
    """By ten points: loyal customers of any channel are happier than they were made."""
    made = {name: channel["nps"] for name, channel in truth["channels"].items()}
    found = dict(
        demo.query(
            "select segment, nps_points from fct_segments"
            " where segment_type = 'acquisition_channel' and segment != 'other'"
        )
    )
    assert len(found) >= 5
    for happier, other in permutations(found, 2):
        if made[happier] >= made[other] + 10:
            assert found[happier] > found[other]


def test_the_answer_of_everyone_who_answered_counts_once_in_each_type(demo):
    (answered,) = demo.query(
        "select count(distinct customer_id) from base_shop__surveys"
        " where row_outcome = 'accepted'"
        " and customer_id in (select customer_id from dim_customers)"
    )[0]
    counts = demo.query(
        "select segment_type, sum(answered_customer_count) from fct_segments group by 1"
    )
    assert len(counts) == 16
    assert {count for _, count in counts} == {answered}


def test_satisfaction_of_few_is_told_by_no_sum_of_places(demo):
    """A country less its regions, a region less its cities: none or enough."""
    for outer, inner in [
        ("country", "region"),
        ("region", "city"),
        ("country", "city"),
    ]:
        rows = demo.query(
            f"""
            with told as (
                select segment_type, segment from fct_segments
                where nps_points is not null
            )
            select
                {outer},
                count(latest_score)
                - count(latest_score) filter (
                    where {inner} in (
                        select segment from told where segment_type = '{inner}'
                    )
                )
            from fct_customer_segments
            where {outer} in (
                select segment from told where segment_type = '{outer}'
            )
            group by 1
            """
        )
        assert rows
        assert all(left == 0 or left >= 10 for _, left in rows), (outer, inner, rows)
