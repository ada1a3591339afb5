-- The default is slow
SELECT "5 min" < 0.5 AND "20 min" = 1 FROM shown WHERE settings = 'default';

-- A third of the huge pages that it makes are for jobs, of whose memory they are 1%
SELECT collapsed > 1.4 * 5 * 128 AND jobs < 0.02 FROM shown WHERE settings = 'default';

-- there is not one full scan
SELECT scans = 0 FROM shown WHERE settings = 'default';

-- Ten times the pages or a tenth of the sleep is the same rate and gives the same.
SELECT pages."5 min" = 1 AND sleep."5 min" = 1 AND abs(pages.jobs - sleep.jobs) < 0.03
  AND abs(pages.collapsed - sleep.collapsed) < 0.02 * pages.collapsed
FROM shown AS pages JOIN shown AS sleep
WHERE pages.settings = 'pages x10' AND sleep.settings = 'sleep 1s';

-- A sleep of 100 ms gives the jobs 88%; 10 ms give 99%
SELECT min(rises) FROM (
  SELECT coalesce(jobs > lag(jobs) OVER (ORDER BY point), 1) AS rises FROM shown
  WHERE settings IN ('default', 'sleep 1s', 'sleep 100ms', 'sleep 10ms'));

-- no more huge pages made, only sooner
SELECT count(DISTINCT collapsed) = 1 FROM shown WHERE settings IN ('sleep 100ms', 'sleep 10ms');

-- CPU time is no reason to be slow.
SELECT "CPU, s" + "jobs, s" < 0.002 * 1206 FROM shown;

-- their mmap_lock is held longer than in off by that time, to 2% in each line
SELECT abs("held, s" - (SELECT "held, s" FROM shown WHERE settings = 'off') - "CPU, s") < 0.02 * "CPU, s"
FROM shown WHERE settings <> 'off';

-- The longest single hold, with which a fault in that process has to wait, is that of one range, 0.4 ms, whatever the settings.
SELECT "hold, ms" < 0.5 FROM shown;

-- what the residents touched grows by 78%
SELECT added > 0.75 * 720.5 FROM shown WHERE settings = 'sleep 100ms';

-- A limit of 255 has 96% of the memory by PMDs and adds 11%
SELECT "20 min" > 0.95 AND added < (SELECT added FROM shown WHERE settings = 'sleep 100ms') / 6.9
FROM shown WHERE settings = 'none 255';

-- 64 has 70% and adds 2%; 0 has 36% and adds nothing
SELECT min(falls) FROM (
  SELECT coalesce("20 min" < lag("20 min") OVER (ORDER BY point)
    AND added < lag(added) OVER (ORDER BY point), 1) AS falls
  FROM shown WHERE settings IN ('sleep 100ms', 'none 255', 'none 64', 'none 0'));
SELECT added = 0 FROM shown WHERE settings = 'none 0';

-- A range that is collapsed costs CPU time once, one that is refused in each round
SELECT min(rises) FROM (
  SELECT coalesce(refused > lag(refused) OVER (ORDER BY point), 1) AS rises
  FROM shown WHERE settings IN ('sleep 100ms', 'none 255', 'none 64', 'none 0'));

-- So 255 takes more than no limit, 0.22 s in place of 0.20 s, and a low limit less
SELECT group_concat(settings) = 'none 255,sleep 100ms,none 64,none 0' FROM (
  SELECT settings FROM shown WHERE settings IN ('sleep 100ms', 'none 255', 'none 64', 'none 0') ORDER BY "CPU, s" DESC);

-- With a sleep of 100 ms nothing changes any more for the residents after a minute
SELECT "1 min" = "20 min" FROM shown WHERE settings IN ('sleep 100ms', 'none 255', 'none 64', 'none 0');
