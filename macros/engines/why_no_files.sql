{% macro why_no_files(folder) -%}
    {{ return(adapter.dispatch('why_no_files', 'customer_lifetime')(folder)) }}
{%- endmacro %}

{% macro default__why_no_files(folder) -%}
    {{ return(
        'the target ' ~ target.name ~ ' writes no files. Read fct_audience_members; who is'
        ~ ' in it does not count as contacted.'
    ) }}
{%- endmacro %}

{% macro duckdb__why_no_files(folder) -%}
    {{ return(none) }}
{%- endmacro %}

{#- each executor would have a relative folder of its own -#}
{% macro spark__why_no_files(folder) -%}
    {%- if not folder.startswith('/') and '://' not in folder -%}
        {{ return(
            'CLV_EXPORTS is ' ~ folder ~ '. Set it to a folder that all of the cluster'
            ~ ' reaches: an absolute path or the address of a bucket.'
        ) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}
