-- Off unless the var inputs_maximum_volume_z_score is set. Looks at the last whole day
-- and the seven days that end with it: that of the live cutoff may not be over yet.
{{ config(enabled=var('inputs_maximum_volume_z_score') is not none) }}
with

volumes as (
    select
        input_name,
        row_date,
        row_count,
        usual_rows,
        row_count_z_score,
        week_row_count,
        usual_week_rows,
        week_row_count_z_score
    from {{ ref('fct_input_volumes') }}
),

last_day as (
    select {{ add_days('max(row_date)', -1) }} as row_date
    from volumes
)

select
    volumes.input_name,
    volumes.row_date,
    volumes.row_count,
    volumes.usual_rows,
    volumes.week_row_count,
    volumes.usual_week_rows
from volumes
inner join last_day on volumes.row_date = last_day.row_date
where
    abs(volumes.row_count_z_score)
    > {{ setting_number('inputs_maximum_volume_z_score', minimum=0) }}
    or abs(volumes.week_row_count_z_score)
    > {{ setting_number('inputs_maximum_volume_z_score', minimum=0) }}
