-- 160 weeks in all
SELECT count(*) = 160 FROM runs;
