{% test grain(model, columns, nullable=[]) %}
with rows_read as (
    select {{ columns | join(', ') }} from {{ model }}
)

select {{ columns | join(', ') }}
from rows_read
group by {{ columns | join(', ') }}
having count(*) > 1

union all

select {{ columns | join(', ') }}
from rows_read
where
    {% for column in columns if column not in nullable %}
    {{ 'or ' if not loop.first }}{{ column }} is null
    {% endfor %}
{% endtest %}
