\d+
\dt+
\di+
\ds+
\l+ meta
\db+
