-- Sent once in each session. Texts of values are the same whatever the account's and the user's settings are, no result
-- is cut off, and a query whose client is gone is ended by the server (after five minutes, says the vendor).
alter session set
  timezone = 'UTC'
  date_output_format = 'YYYY-MM-DD'
  time_output_format = 'HH24:MI:SS.FF9'
  timestamp_output_format = 'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM'
  timestamp_ntz_output_format = 'YYYY-MM-DD"T"HH24:MI:SS.FF9'
  timestamp_ltz_output_format = 'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM'
  timestamp_tz_output_format = 'YYYY-MM-DD"T"HH24:MI:SS.FF9TZH:TZM'
  binary_output_format = 'HEX'
  binary_input_format = 'HEX'
  quoted_identifiers_ignore_case = false
  rows_per_resultset = 0
  abort_detached_query = true
