{#- All of them in one list. Documented in _segmentation__macros.yml. -#}
{% macro segment_types() -%}
    {{ return(segment_kinds().values() | sum(start=[])) }}
{%- endmacro %}
