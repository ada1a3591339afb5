-- After an hour of load 6.2 of 8 GiB can be had in pages of 2 MiB, after four hours 4.8 GiB
SELECT group_concat(gib, ' ') = '6.2 4.8' FROM (
  SELECT round(avg(MiB) / 1024, 1) AS gib FROM (
    SELECT point, MiB, row_number() OVER (PARTITION BY point ORDER BY MiB) AS place
    FROM shown WHERE pool = '2M' AND load <> 'none')
  WHERE place IN (10, 11) GROUP BY point ORDER BY point);

-- Of the two pages of 1 GiB that the fresh machine gives two are left after an hour
SELECT min(reserved) = 2 FROM shown WHERE load = 'none' AND pool = '1G';
SELECT sum(reserved = 2) > 10 FROM shown WHERE load = '1h' AND pool = '1G';

-- after four hours none, in most of the runs
SELECT sum(reserved = 0) > 10 FROM shown WHERE load = '4h' AND pool = '1G';

-- Without compaction there are more pages, not fewer: 6.4 GiB after four hours
SELECT round(avg(MiB) / 1024, 1) = 6.4 FROM (
  SELECT MiB, row_number() OVER (ORDER BY MiB) AS place FROM shown WHERE load = '4h' AND pool = '2M, no compaction')
WHERE place IN (10, 11);

-- 23 MiB of it are left, where
SELECT round(avg(cache)) = 23 FROM (
  SELECT "cache left, MiB" AS cache, row_number() OVER (ORDER BY "cache left, MiB") AS place
  FROM shown WHERE load = '4h' AND pool = '2M, no compaction')
WHERE place IN (10, 11);

-- compaction leaves 1.6 GiB
SELECT round(avg(cache) / 1024, 1) = 1.6 FROM (
  SELECT "cache left, MiB" AS cache, row_number() OVER (ORDER BY "cache left, MiB") AS place
  FROM shown WHERE load = '4h' AND pool = '2M')
WHERE place IN (10, 11);

-- For pages of 1 GiB compaction makes no difference at all
SELECT count(*) = 60 AND sum(a.reserved = b.reserved) = 60 FROM shown AS a, shown AS b
WHERE a.pool = '1G' AND b.pool = '1G, no compaction' AND a.load = b.load AND a.seed = b.seed;
