{% macro files_matching(pattern) -%}
    {%- do return(
        run_query('select file from glob(' ~ quoted_text(pattern) ~ ') order by file')
        .columns[0].values()
    ) -%}
{%- endmacro %}
