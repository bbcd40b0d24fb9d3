{#- All steps in one expression: Spark computes a CTE anew for each one that reads it, and
    would plan fifty sorts on top of each other. -#}
{% macro spark__sweep_steps(pivot_count) %}
matrix_{{ pivot_count }} as (
    select
        i,
        j,
        entry
    from (
        select
            aggregate(
                sequence(1, {{ pivot_count }}),
                sort_array(collect_list(struct(i, in_row))).in_row,
                (matrix, k) -> transform(matrix, (in_row, i) -> transform(
                    in_row,
                    (entry, j) -> case
                        when matrix[k][k] is null then entry
                        when i = k and j = k then 1 / matrix[k][k]
                        when i = k then entry / matrix[k][k]
                        when j = k then -entry / matrix[k][k]
                        else entry - in_row[k] * matrix[k][j] / matrix[k][k]
                    end
                ))
            ) as matrix
        from (
            select
                i.n as i,
                sort_array(collect_list(struct(j.n as j, matrix_0.entry))).entry
                    as in_row
            from {{ numbers(pivot_count + 1) }} as i
            cross join {{ numbers(pivot_count + 1) }} as j
            left join matrix_0 on i.n = matrix_0.i and j.n = matrix_0.j
            group by i.n
        ) as in_rows
    ) as swept
    lateral view posexplode(matrix) as i, in_row
    lateral view posexplode(in_row) as j, entry
    where entry is not null
),
{%- endmacro %}
