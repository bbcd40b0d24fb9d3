{% macro checked_number(argument, value, lowest=none, highest=none, advice='') -%}
    {%- set is_given = value is defined and value is not none
        and value is not boolean and value | string | trim != '' -%}
    {%- if not is_given -%}
        {{ exceptions.raise_compiler_error(
            argument ~ ' must be a number or an SQL expression. ' ~ advice
        ) }}
    {%- endif -%}

    {%- set text = value | string | trim -%}
    {%- if not modules.re.match('^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)(e[-+]?[0-9]+)?$', text, 2) -%}
        {%- if value is number -%}
            {{ exceptions.raise_compiler_error(argument ~ ' is ' ~ text ~ ': it must be finite.') }}
        {%- endif -%}
        {%- set guards = [] -%}
        {%- if lowest is not none and highest is not none -%}
            {%- do guards.append('(' ~ text ~ ') between ' ~ lowest ~ ' and ' ~ highest) -%}
        {%- elif lowest is not none -%}
            {%- do guards.append('(' ~ text ~ ') >= ' ~ lowest) -%}
        {%- endif -%}
        {{ return({'sql': '(' ~ text ~ ')', 'number': none, 'guards': guards}) }}
    {%- endif -%}

    {%- set number = text | float -%}
    {%- if (lowest is not none and number < lowest)
        or (highest is not none and number > highest) -%}
        {{ exceptions.raise_compiler_error(
            argument ~ ' is ' ~ text ~ ': it must '
            ~ ('lie between ' ~ lowest ~ ' and ' ~ highest if highest is not none
               else 'be at least ' ~ lowest)
            ~ '. ' ~ advice
        ) }}
    {%- endif -%}
    {{ return({'sql': text, 'number': number, 'guards': []}) }}
{%- endmacro %}
