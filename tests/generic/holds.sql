{% test holds(model, expression) %}
select *
from {{ model }}
where not coalesce({{ expression }}, true)
{% endtest %}
