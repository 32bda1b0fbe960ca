select * from (
{{sql}}
) as found
where {{matches}}
