{% macro content_to_keep(columns) -%}
    case
        when is_repeated or rejection_reasons is not null
            then {{ row_content(columns) }}
    end
{%- endmacro %}
