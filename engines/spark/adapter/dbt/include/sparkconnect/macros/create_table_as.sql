{#- A Python model is compiled code that the adapter runs; `spark` and `save` are the
    adapter's. -#}
{% macro sparkconnect__create_table_as(
    temporary, relation, compiled_code, language='sql'
) -%}
    {%- if language == 'python' %}
{{ compiled_code }}

save(model(dbtObj(spark.table), spark), {{ relation.render() | tojson }})
    {%- else -%}
        {{ spark__create_table_as(temporary, relation, compiled_code, language) }}
    {%- endif -%}
{%- endmacro %}
