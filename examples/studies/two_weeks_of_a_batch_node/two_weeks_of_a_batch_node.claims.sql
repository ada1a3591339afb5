-- Nearly all that the jobs leave free is to be had in pages of 2 MiB
SELECT jobs + "2M mean" > 15.4 FROM shown;

-- never less than 9 GiB
SELECT "2M least" > 9 FROM shown;

-- Of pages of 1 GiB there are a third fewer on average than the free memory would make
SELECT "1G mean" / "2M mean" BETWEEN 0.6 AND 0.7 FROM shown;

-- on the worst day 6, or 2 without transparent huge pages
SELECT "1G least" = CASE thp WHEN 'always' THEN 6 ELSE 2 END FROM shown;

-- Whether jobs have transparent huge pages makes next to no difference
SELECT max("2M mean") - min("2M mean") < 0.1 AND max("1G mean") - min("1G mean") < 0.5 FROM shown;

-- No job was killed
SELECT killed = 0 FROM shown;
