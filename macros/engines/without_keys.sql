{% macro without_keys(content, keys) -%}
    {{ return(adapter.dispatch('without_keys', 'customer_lifetime')(content, keys)) }}
{%- endmacro %}

{% macro duckdb__without_keys(content, keys) -%}
    cast(json_merge_patch(
        {{ content }},
        '{ {%- for key in keys %}"{{ key }}": null{{ ', ' if not loop.last }}{% endfor -%} }'
    ) as varchar)
{%- endmacro %}

{% macro spark__without_keys(content, keys) -%}
    to_json(map_filter(
        from_json({{ content }}, 'map<string, string>'),
        (key, value) -> key not in ('{{ keys | join("', '") }}')
    ), map('ignoreNullFields', 'false'))
{%- endmacro %}

{#- json_each keeps the order of keys, which jsonb does not -#}
{% macro postgres__without_keys(content, keys) -%}
    (
        select
            '{' || string_agg(
                cast(to_json(fields.key) as text) || ':' || cast(fields.value as text),
                ',' order by fields.position
            ) || '}'
        from json_each(cast({{ content }} as json)) with ordinality
            as fields (key, value, position)
        where fields.key not in ('{{ keys | join("', '") }}')
    )
{%- endmacro %}

{#- An object loses no key there; row_content has texts and NULLs as values only.
The pattern is PCRE, its backslashes are those of a text doubled -#}
{% macro redshift__without_keys(content, keys) -%}
    regexp_replace(
        regexp_replace(
            {{ content }},
            '"(?:{{ keys | join('|') }})":(?:null|"(?:[^"\\\\]|\\\\.)*"),?',
            '', 1, 'p'
        ),
        ',}$', '}'
    )
{%- endmacro %}

{% macro snowflake__without_keys(content, keys) -%}
    to_json(object_delete(parse_json({{ content }}), '{{ keys | join("', '") }}'))
{%- endmacro %}

{% macro bigquery__without_keys(content, keys) -%}
    to_json_string(json_remove(
        parse_json({{ content }}), '$.{{ keys | join("', '$.") }}'
    ))
{%- endmacro %}
