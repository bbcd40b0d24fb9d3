{#- Documented in _statistics__clusters__macros.yml. -#}
{% macro squared_distance(columns, other_columns) -%}
    (
        {%- for column in columns -%}
            coalesce(
                ({{ column }} - {{ other_columns[loop.index0] }})
                * ({{ column }} - {{ other_columns[loop.index0] }}), 0
            ){{ ' + ' if not loop.last }}
        {%- endfor -%}
    )
{%- endmacro %}
