{% macro checked_choice(argument, value, choices) -%}
    {%- if value not in choices -%}
        {{ exceptions.raise_compiler_error(
            argument ~ " is '" ~ value ~ "': choose one of '"
            ~ choices | join("', '") ~ "'."
        ) }}
    {%- endif -%}
{%- endmacro %}
