-- Nearly all that the jobs leave free is to be had in pages of 2 MiB
SELECT jobs + "2M mean" > 15.4 FROM shown;

-- never less than 9 GiB
SELECT "2M least" > 9 FROM shown;

-- Of pages of 1 GiB there are a fifth fewer on average than the free memory would make, and on the worst day 8
SELECT "1G mean" / "2M mean" BETWEEN 0.75 AND 0.85 AND "1G least" = 8 FROM shown WHERE thp = 'always';

-- where jobs have no transparent huge pages, more than a third fewer, and on the worst day 2
SELECT "1G mean" / "2M mean" BETWEEN 0.6 AND 0.66 AND "1G least" = 2 FROM shown WHERE thp = 'never';

-- To the pool of 2 MiB pages it makes next to no difference whether jobs have transparent huge pages.
SELECT max("2M mean") - min("2M mean") < 0.1 AND max("2M least") - min("2M least") < 0.1 FROM shown;

-- No job was killed
SELECT killed = 0 FROM shown;
