{% macro hash_salt() -%}
    {%- set salt = env_var('CLV_HASH_SALT', '') -%}
    {%- if salt | length < 16 -%}
        {%- do exceptions.raise_compiler_error(
            'The var match_customers asks for addresses to be compared: set the'
            ~ ' environment variable CLV_HASH_SALT to a secret of at least 16 characters,'
            ~ ' with which e-mail addresses and phone numbers are hashed.'
        ) -%}
    {%- endif -%}
    {%- do return(salt) -%}
{%- endmacro %}
