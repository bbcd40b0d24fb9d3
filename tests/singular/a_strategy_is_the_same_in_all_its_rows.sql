-- A strategy may have several groups, but one name, one priority and one kind of uplift.
select
    strategy_id,
    count(distinct strategy_name) as name_count,
    count(distinct priority) as priority_count,
    count(distinct uplift_on) as uplift_on_count
from {{ ref('strategy_catalogue') }}
group by strategy_id
having
    count(distinct strategy_name) > 1
    or count(distinct priority) > 1
    or count(distinct uplift_on) > 1
