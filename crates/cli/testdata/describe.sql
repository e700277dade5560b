-- Recorded from psql 18.6 on PostgreSQL 18.6, as shell.sql.
\d
\dt
\d nosuch
CREATE TABLE herd (id int PRIMARY KEY, name text NOT NULL UNIQUE, country varchar(20) DEFAULT 'Botswana');
CREATE TABLE elephant (
    id serial PRIMARY KEY,
    name text NOT NULL,
    herd int REFERENCES herd,
    born date DEFAULT '2000-01-01',
    weight numeric(7,1) CHECK (weight > 0),
    "Mixed Case" timestamp with time zone,
    CONSTRAINT named CHECK (born > '1900-01-01')
);
CREATE INDEX elephant_herd ON elephant (herd);
CREATE INDEX by_weight ON elephant (weight DESC NULLS LAST, name);
CREATE UNIQUE INDEX once ON elephant (name, born);
CREATE SEQUENCE counter START 5 INCREMENT 2 MAXVALUE 99;
COMMENT ON COLUMN herd.name IS 'what it is called';
\d
\dt
\dt e*
\di
\di elephant_*
\ds
\d herd
\d elephant
\d+ herd
\d elephant_herd
\d elephant_pkey
\d once
\d by_weight
\d counter
\d elephant_id_seq
\d public.her?
\d nosuch
\dt nosuch
\dn
\du
\x
\d herd
\x
\t
\dt
\t
\a
\d herd
\dt
