{#- A seed's column types may be written as other engines name them. -#}
{% macro sparkconnect__create_csv_table(model, agate_table) -%}
    {{ return(spark__create_csv_table(with_translated_types(model), agate_table)) }}
{%- endmacro %}

{% macro sparkconnect__load_csv_rows(model, agate_table) -%}
    {{ return(spark__load_csv_rows(with_translated_types(model), agate_table)) }}
{%- endmacro %}

{% macro with_translated_types(model) -%}
    {%- set types = {} -%}
    {%- for column, type in model.config.get('column_types', {}).items() -%}
        {%- do types.update({column: api.Column.translate_type(type)}) -%}
    {%- endfor -%}
    {%- do return(dict(model, config=dict(model.config, column_types=types))) -%}
{%- endmacro %}
