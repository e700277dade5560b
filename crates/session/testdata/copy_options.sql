COPY t FROM STDIN (format 'x')
COPY t FROM STDIN (format)
COPY t FROM STDIN (format csv, format text)
COPY t FROM STDIN (nosuch)
COPY t FROM STDIN (delimiter 'ab')
COPY t FROM STDIN (delimiter '')
COPY t FROM STDIN (delimiter E'\n')
COPY t FROM STDIN (delimiter 'a')
COPY t FROM STDIN (delimiter '\')
COPY t FROM STDIN (delimiter '.')
COPY t FROM STDIN (delimiter 'é')
COPY t FROM STDIN (format csv, delimiter 'a')
COPY t FROM STDIN (format csv, delimiter '"')
COPY t FROM STDIN (format csv, quote 'ab')
COPY t FROM STDIN (format csv, quote '')
COPY t FROM STDIN (format csv, quote ',')
COPY t FROM STDIN (format csv, escape 'ab')
COPY t FROM STDIN (quote '"')
COPY t FROM STDIN (escape '"')
COPY t FROM STDIN (null E'a\nb')
COPY t FROM STDIN (null E'a\tb')
COPY t FROM STDIN (format csv, null 'a,b')
COPY t FROM STDIN (format csv, null 'a"b')
COPY t FROM STDIN (default E'a\nb')
COPY t FROM STDIN (default E'a\tb')
COPY t FROM STDIN (default '\N')
COPY t FROM STDIN (format csv, default '')
COPY t FROM STDIN (format csv, default 'x"y')
COPY t TO STDOUT (default 'x')
COPY t FROM STDIN (format binary, default 'x')
COPY t FROM STDIN (format binary, delimiter ',')
COPY t FROM STDIN (format binary, null 'x')
COPY t FROM STDIN (format binary, header)
COPY t FROM STDIN (format binary, quote 'x')
COPY t FROM STDIN (format binary, on_error ignore)
COPY t FROM STDIN (format binary, on_error stop)
COPY t FROM STDIN (header maybe)
COPY t FROM STDIN (header 2)
COPY t FROM STDIN (header 1.5)
COPY t FROM STDIN (header -1)
COPY t TO STDOUT (header match)
COPY t FROM STDIN (header match, header true)
COPY t FROM STDIN (freeze maybe)
COPY t TO STDOUT (freeze)
COPY t FROM STDIN (freeze)
COPY t FROM STDIN (force_quote *)
COPY t FROM STDIN (format csv, force_quote *)
COPY t TO STDOUT (force_quote *)
COPY t TO STDOUT (format csv, force_quote (nosuch))
COPY t (a) TO STDOUT (format csv, force_quote (b))
COPY t TO STDOUT (format csv, force_quote)
COPY t TO STDOUT (format csv, force_quote 'a')
COPY t TO STDOUT (format csv, force_quote 1)
COPY t TO STDOUT (format csv, force_not_null *)
COPY t FROM STDIN (force_not_null (a))
COPY t FROM STDIN (format csv, force_not_null (nosuch))
COPY t (a) FROM STDIN (format csv, force_not_null (b))
COPY t FROM STDIN (format csv, force_null (nosuch))
COPY t (a) FROM STDIN (format csv, force_null (b))
COPY t FROM STDIN (force_null (a))
COPY t TO STDOUT (format csv, force_null (a))
COPY t FROM STDIN (encoding 'nosuch')
COPY t FROM STDIN (encoding)
COPY t FROM STDIN (on_error 'x')
COPY t FROM STDIN (on_error)
COPY t TO STDOUT (on_error ignore)
COPY t FROM STDIN (log_verbosity 'x')
COPY t FROM STDIN (log_verbosity)
COPY t FROM STDIN (reject_limit 1)
COPY t FROM STDIN (on_error ignore, reject_limit 0)
COPY t FROM STDIN (on_error ignore, reject_limit 'x')
COPY t FROM STDIN (on_error ignore, reject_limit)
COPY t FROM STDIN (on_error ignore, on_error stop)
COPY t FROM STDIN (convert_selectively (a))
COPY t FROM STDIN (convert_selectively 'a')
COPY t FROM STDIN (delimiter)
COPY t FROM STDIN (null)
COPY t FROM STDIN (quote)
COPY t FROM STDIN (delimiter 1)
COPY t (nosuch) FROM STDIN
COPY t (a, a) FROM STDIN
COPY t (nosuch) TO STDOUT
COPY nosuch FROM STDIN
COPY nosuch TO STDOUT
COPY v FROM STDIN
COPY v TO STDOUT
COPY s FROM STDIN
COPY s TO STDOUT
COPY ix TO STDOUT
COPY ix FROM STDIN
COPY (INSERT INTO t VALUES (1)) TO STDOUT
COPY (CREATE TABLE x (a int)) TO STDOUT
COPY (SELECT nosuch) TO STDOUT
COPY (SELECT 1 INTO x) TO STDOUT
COPY (SELECT $1) TO STDOUT
COPY t FROM STDIN WHERE nosuch = 1
COPY t FROM STDIN WHERE a
COPY t FROM STDIN WHERE a IN (SELECT 1)
COPY t FROM STDIN WHERE count(*) > 1
COPY t FROM STDIN (format csv, header match, delimiter '.')
COPY t FROM STDIN DELIMITER ',' DELIMITER ';'
COPY t FROM STDIN CSV BINARY
COPY t FROM '/nosuch/file'
COPY t FROM 'nosuch'
COPY t FROM '/tmp'
COPY t TO 'rel'
COPY t TO '/nosuch/file'
COPY t TO '/tmp'
COPY t TO STDOUT (format csv, null E'a\rb')
COPY t TO STDOUT (format csv, escape 'é')
COPY t TO STDOUT (format csv, quote 'é')
COPY t FROM STDIN (format csv, default 'a,b')
COPY t FROM STDIN (default E'\\x', null E'\\x')
COPY t FROM STDIN (log_verbosity verbose, log_verbosity silent)
COPY t FROM STDIN (freeze, freeze)
COPY t FROM STDIN (null 'a', null 'b')
