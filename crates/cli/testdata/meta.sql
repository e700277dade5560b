\d
\d kinds
\d+ kinds
\d things
\d+ things
\d shop.orders
\d+ shop.orders
\d shop.notes
\d empty
\d kinds_pkey
\d+ things_made_idx
\d things_odd
\d things_code_made_key
\d plain
\d+ plain
\d shop.fancy
\d owned
\d kinds_id_seq
\d things_id_seq
\d nothing
\d sh*.*
\dt
\dt shop.*
\dt *.orders
\di
\di shop.*
\dv
\ds
\dn
\df
\df lower
\df int4pl
\dT
\dT int4
\du
\dp
\dp things
\dp shop.*
\da max
\dC
\do ||
\db
\dg
\dm
\dy
\dD
\dO
\dc
\ddp
\drds
\det
\des
\dew
\deu
\dP
\dRp
\dRs
\dX
\dA
\sf lower(text)
\sv nothing
\d+ kinds
\d+ things
\d+ shop.orders
\d+ things_made_idx
\d+ plain
\dn+
\du+
\df+ lower
\dT+ int4
\dd
\df jsonb_set
\df json_each
\df concat
\df+ random
\df pg_options_to_table
\df percentile_cont
\df rank
\sf json_array_elements(json)
\sf pg_catalog.generate_series(integer, integer)
\sf sum(int4)
\d people
\d+ people
\d people_feels
\d adults
\d+ adults
\d shop.lines
\d+ shop.lines
\d moods
\d+ moods
\d moods_feels
\dv
\dv shop.*
\dm
\dT
\dT+
\dT shop.*
\dT+ mood
\sv adults
\sv+ shop.lines
\dp adults
