-- Asked as a dry run: whether the account may run queries in the project, without running one.
select 1 as one
