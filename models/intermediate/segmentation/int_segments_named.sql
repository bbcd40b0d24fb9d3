-- Under which name a group may be shown: no row, and no difference between rows, may
-- speak of a person. A group with too few customers, or with buyers too few to show
-- their revenue, is merged into 'other'; if 'other' itself is too small, the group
-- 'unknown' goes with it, else the smallest of the others: were 'other' left out, it
-- would still be what the total has and the other rows have not.
-- Places first: a region less its cities must not tell either. Small cities of a region
-- go to 'other', with its next smallest where they are too few together; a region that
-- is small goes whole, so among the regions of its country, and so does a country. The
-- same is asked of the figures that only some customers have (who answered, was scored,
-- had bought before): there _is_withheld says what may not be told.
{% set minimum = setting_number(
    'segment_minimum_customers', minimum=1, whole=true
) | int %}
{% set figures = [
    'customer_count', 'buyer_count', 'active_customer_count', 'churned_customer_count',
    'valued_customer_count', 'churn_rate_count', 'earlier_buyer_count',
    'returning_customer_count', 'scored_customer_count', 'answered_customer_count',
    'promoter_count', 'detractor_count', 'churn_probability_rate_sum',
    'channel_churn_rate_sum', 'monthly_margin_sum_amount', 'revenue_amount',
    'margin_amount', 'residual_value_amount', 'value_amount',
] %}
{% set withheld = [
    'earlier_buyer_count', 'scored_customer_count', 'answered_customer_count',
] %}
{% set levels = {'country': 1, 'region': 2, 'city': 3} %}
{% set groups_before -%}
(
    partition by sized.segment_type
    order by
        sized.merge_class,
        sized.buyer_count,
        sized.customer_count,
        sized.segment
    rows between unbounded preceding and 1 preceding
)
{%- endset %}

with

grouped as (
    select
        segment_type,
        place_country,
        place_region,
        {% for figure in figures -%}
        {{ figure }},
        {% endfor -%}
        segment
    from {{ ref('int_segments_grouped') }}
),

places as (
    {% for counted in ['customer_count', 'buyer_count'] + withheld -%}
    select
        '{{ counted }}' as counted,
        place_country as country,
        place_region as region,
        segment as city,
        {{ counted }} as city_size
    from grouped
    where segment_type = 'place' and {{ counted }} > 0
    {{ 'union all' if not loop.last }}
    {% endfor -%}
),

regions as (
    select
        counted,
        country,
        region,
        sum(city_size) as region_size
    from places
    group by counted, country, region
),

countries as (
    select
        counted,
        country,
        sum(region_size) as country_size
    from regions
    group by counted, country
),

-- who is before in the queue of those to be merged
city_queues as (
    select
        places.*,
        sum(places.city_size) over (
            partition by places.counted, places.country, places.region
            order by places.city_size, places.city
            rows between unbounded preceding and 1 preceding
        ) as before_size
    from places
),

region_queues as (
    select
        regions.*,
        sum(regions.region_size) over (
            partition by regions.counted, regions.country
            order by regions.region_size, regions.region
            rows between unbounded preceding and 1 preceding
        ) as before_size
    from regions
),

country_queues as (
    select
        countries.*,
        sum(countries.country_size) over (
            partition by countries.counted
            order by countries.country_size, countries.country
            rows between unbounded preceding and 1 preceding
        ) as before_size
    from countries
),

-- the coarsest level that is too small: 1 country, 2 region, 3 city, 4 none
judged_places as (
    select
        city_queues.counted,
        city_queues.country,
        city_queues.region,
        city_queues.city,
        case
            {% for level in levels -%}
            when
                {{ level }}_queues.{{ level }}_size < {{ minimum }}
                or {{ level }}_queues.before_size < {{ minimum }}
                then {{ levels[level] }}
            {% endfor -%}
            else 4
        end as small_level
    from city_queues
    inner join region_queues
        on
            city_queues.counted = region_queues.counted
            and city_queues.country = region_queues.country
            and city_queues.region = region_queues.region
    inner join country_queues
        on
            city_queues.counted = country_queues.counted
            and city_queues.country = country_queues.country
),

-- who are none can't be told apart
place_levels as (
    select
        country,
        region,
        city,
        {% for counted in withheld -%}
        coalesce(min(case when counted = '{{ counted }}' then small_level end), 4)
            as {{ counted }}_small_level,
        {% endfor -%}
        min(case when counted in ('customer_count', 'buyer_count') then small_level end)
            as small_level
    from judged_places
    group by country, region, city
),

candidates as (
    {% for level, level_number in levels.items() -%}
    select
        '{{ level }}' as segment_type,
        case
            when place_levels.small_level <= {{ level_number }} then 'other'
            else place_levels.{{ level }}
        end as segment,
        {% for counted in withheld -%}
        case
            when place_levels.{{ counted }}_small_level <= {{ level_number }} then 1
            else 0
        end as {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        grouped.{{ figure }},
        {% endfor -%}
        place_levels.small_level <= {{ level_number }} as is_merged_place
    from grouped
    inner join place_levels
        on
            grouped.place_country = place_levels.country
            and grouped.place_region = place_levels.region
            and grouped.segment = place_levels.city
    where grouped.segment_type = 'place'

    union all

    {% endfor -%}
    select
        segment_type,
        segment,
        {% for counted in withheld -%}
        0 as {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        {{ figure }},
        {% endfor -%}
        false as is_merged_place
    from grouped
    where segment_type != 'place'
),

summed as (
    select
        segment_type,
        segment,
        {% for counted in withheld -%}
        max({{ counted }}_is_withheld) as {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        sum({{ figure }}) as {{ figure }},
        {% endfor -%}
        is_merged_place
    from candidates
    group by segment_type, segment, is_merged_place
),

-- Who is merged first. A group without buyers comes last: it can't hide any revenue.
sized as (
    select
        summed.*,
        case
            when
                summed.customer_count < {{ minimum }}
                or summed.buyer_count between 1 and {{ minimum - 1 }}
                then 0
            when summed.buyer_count > 0 and summed.segment = 'unknown' then 1
            when summed.buyer_count > 0 then 2
            else 3
        end as merge_class
    from summed
),

queued as (
    select
        sized.*,
        sum(sized.customer_count) over {{ groups_before }} as customers_before_count,
        sum(sized.buyer_count) over {{ groups_before }} as buyers_before_count
    from sized
),

final as (
    select
        segment_type,
        segment,
        case
            when merge_class = 0 then 'other'
            when customers_before_count < {{ minimum }} then 'other'
            when buyers_before_count between 1 and {{ minimum - 1 }} then 'other'
            else segment
        end as segment_shown,
        {% for counted in withheld -%}
        {{ counted }}_is_withheld,
        {% endfor -%}
        {% for figure in figures -%}
        {{ figure }},
        {% endfor -%}
        is_merged_place
    from queued
)

select * from final
