select * from (
{{sql}}
) as sample
limit {{limit}}
