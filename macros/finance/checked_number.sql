{% macro checked_number(argument, value, lowest=none, highest=none, advice='') -%}
    {%- set is_given = value is defined and value is not none
        and value is not boolean and value | string | trim != '' -%}
    {%- if not is_given -%}
        {{ exceptions.raise_compiler_error(
            argument ~ ' must be a number or an SQL expression. ' ~ advice
        ) }}
    {%- endif -%}

    {%- set text = value | string | trim -%}
    {%- set range = 'at least ' ~ lowest if highest is none
        else 'between ' ~ lowest ~ ' and ' ~ highest -%}

    {%- set literal = '[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$' -%}

    {%- if modules.re.match(literal, text) -%}
        {%- set number = text | float -%}
        {%- if (lowest is not none and number < lowest)
            or (highest is not none and number > highest) -%}
            {{ exceptions.raise_compiler_error(
                argument ~ ' is ' ~ text ~ ': it must be ' ~ range ~ '. ' ~ advice
            ) }}
        {%- endif -%}
        {{ return({'sql': text, 'number': number, 'guards': []}) }}
    {%- elif value is number -%}
        {{ exceptions.raise_compiler_error(
            argument ~ ' is ' ~ text ~ ': it must be finite. ' ~ advice
        ) }}
    {%- endif -%}

    {%- set sql = '(' ~ text ~ ')' -%}
    {%- set guard = sql ~ (' >= ' ~ lowest if highest is none else ' ' ~ range) -%}
    {{ return({
        'sql': sql, 'number': none, 'guards': [guard] if lowest is not none else [],
    }) }}
{%- endmacro %}
