{% macro try_cast(expression, type) -%}
    {{ return(adapter.dispatch('try_cast', 'customer_lifetime')(expression, type)) }}
{%- endmacro %}

{% macro default__try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{% macro bigquery__try_cast(expression, type) -%}
    safe_cast({{ expression }} as {{ type }})
{%- endmacro %}

{#- Texts that PostgreSQL takes for a date without digits, such as 'now', are no dates.
    Known since PostgreSQL 16. -#}
{% macro postgres__try_cast(expression, type) -%}
    {%- set text = 'cast(' ~ expression ~ ' as text)' -%}
    case
        when
            pg_input_is_valid({{ text }}, '{{ type }}')
            {%- if type in ['date', 'timestamp'] %}
            and {{ text }} ~ '^\s*[0-9]'
            {%- endif %}
            then cast({{ text }} as {{ type }})
    end
{%- endmacro %}

{#- Redshift would take PostgreSQL's -#}
{% macro redshift__try_cast(expression, type) -%}
    try_cast({{ expression }} as {{ type }})
{%- endmacro %}

{% macro spark__try_cast(expression, type) -%}
    {%- set text = 'cast(' ~ expression ~ ' as string)' -%}
    {%- if type == 'integer' -%}
        {#- '12.0' is a whole number too -#}
        try_cast(try_cast({{ expression }} as double) as int)
    {%- elif type in ['date', 'timestamp'] -%}
        {#- a year, a month or a time alone is no date; a time would be today's -#}
        case
            when {{ text }} rlike '^ *[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}'
                then try_cast({{ expression }} as {{ type }})
        end
    {%- elif type == type_double() -%}
        {#- Java reads a letter behind a number as its type: '1d' -#}
        case
            when not {{ text }} rlike '[0-9.][dDfF] *$'
                then try_cast({{ expression }} as double)
        end
    {%- else -%}
        try_cast({{ expression }} as {{ type }})
    {%- endif -%}
{%- endmacro %}
