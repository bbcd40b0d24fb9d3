{% macro row_content(columns) -%}
    {{ return(adapter.dispatch('row_content', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{% macro duckdb__row_content(columns) -%}
    cast(json_object(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', cast({{ column }} as varchar){{ ',' if not loop.last }}
        {%- endfor %}
    ) as varchar)
{%- endmacro %}

{% macro spark__row_content(columns) -%}
    to_json(named_struct(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', cast({{ column }} as string){{ ',' if not loop.last }}
        {%- endfor %}
    ), map('ignoreNullFields', 'false'))
{%- endmacro %}

{#- by hand: json_build_object puts blanks around its colons -#}
{% macro postgres__row_content(columns) -%}
    '{'
    {%- for column in columns %}
    || '"{{ column.split('.')[-1] }}":'
    || coalesce(cast(to_json(cast({{ column }} as text)) as text), 'null')
    {{- " || ','" if not loop.last }}
    {%- endfor %}
    || '}'
{%- endmacro %}

{% macro redshift__row_content(columns) -%}
    json_serialize(object(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', cast({{ column }} as varchar){{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}

{% macro snowflake__row_content(columns) -%}
    to_json(object_construct_keep_null(
        {%- for column in columns %}
        '{{ column.split('.')[-1] }}', cast({{ column }} as varchar){{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}

{% macro bigquery__row_content(columns) -%}
    to_json_string(struct(
        {%- for column in columns %}
        cast({{ column }} as string) as {{ column.split('.')[-1] }}{{ ',' if not loop.last }}
        {%- endfor %}
    ))
{%- endmacro %}
