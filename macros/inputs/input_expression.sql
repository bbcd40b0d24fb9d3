{#- A value in its own type where that is of the contract's kind, else as text. -#}
{% macro input_expression(column, type, wanted) -%}
    {%- set kinds = {
        'timestamp': ('DATE', 'TIMESTAMP'),
        'date': ('DATE', 'TIMESTAMP'),
        'decimal(18, 4)': ('DECIMAL', 'DOUBLE', 'FLOAT', 'BIGINT', 'INTEGER', 'INT',
            'SMALLINT', 'TINYINT', 'HUGEINT', 'UBIGINT', 'UINTEGER', 'USMALLINT',
            'UTINYINT'),
        'integer': ('BIGINT', 'INTEGER', 'INT', 'SMALLINT', 'TINYINT', 'HUGEINT',
            'UBIGINT', 'UINTEGER', 'USMALLINT', 'UTINYINT'),
        'boolean': ('BOOLEAN',),
    } -%}
    {%- if type is none -%}
        cast(null as {{ dbt.type_string() }})
    {%- elif type.split('(')[0] in kinds.get(wanted, ()) -%}
        {{ quoted_name(column) }}
    {%- else -%}
        nullif(trim(cast({{ quoted_name(column) }} as {{ dbt.type_string() }})), '')
    {%- endif -%}
{%- endmacro %}
