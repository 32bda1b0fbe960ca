select * from (
{{sql}}
) as preview
limit {{limit}}
