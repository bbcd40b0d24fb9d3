{#- What the last purchase was in its stay. Documented in
    _statistics__survival__macros.yml. -#}
{% macro survival_buyer_class(stay_number, stay_purchase_number) -%}
    case
        when {{ stay_purchase_number }} = 1 and {{ stay_number }} = 1 then 'first purchase'
        when {{ stay_purchase_number }} = 1 then 'return'
        when {{ stay_purchase_number }} = 2 then 'second purchase'
        when {{ stay_purchase_number }} <= 4 then 'third or fourth purchase'
        else 'later purchase'
    end
{%- endmacro %}
