{% macro row_hash(columns) -%}
    {{ return(adapter.dispatch('row_hash', 'customer_lifetime')(columns)) }}
{%- endmacro %}

{#- 40 of the 64 bits: the sum over eight million rows still fits a bigint -#}
{% macro duckdb__row_hash(columns) -%}
    cast(hash({{ columns | join(', ') }}) >> 24 as bigint)
{%- endmacro %}

{#- Spark skips NULLs: without the second argument of each, a value that moves to the
    next column would not change the hash -#}
{% macro spark__row_hash(columns) -%}
    shiftrightunsigned(xxhash64(
        {%- for column in columns -%}
            {{ column }}, {{ column }} is null{{ ', ' if not loop.last }}
        {%- endfor -%}
    ), 24)
{%- endmacro %}

{% macro postgres__row_hash(columns) -%}
    ((hash_record_extended(row({{ columns | join(', ') }}), 0) >> 24)
    & 1099511627775)
{%- endmacro %}

{% macro redshift__row_hash(columns) -%}
    strtol(left(md5(json_serialize(array(
        {%- for column in columns -%}
            cast({{ column }} as varchar){{ ', ' if not loop.last }}
        {%- endfor -%}
    ))), 10), 16)
{%- endmacro %}

{% macro bigquery__row_hash(columns) -%}
    (farm_fingerprint(to_json_string([
        {%- for column in columns -%}
            cast({{ column }} as string){{ ', ' if not loop.last }}
        {%- endfor -%}
    ])) >> 24)
{%- endmacro %}

{% macro snowflake__row_hash(columns) -%}
    bitand(bitshiftright(hash({{ columns | join(', ') }}), 24), 1099511627775)
{%- endmacro %}
