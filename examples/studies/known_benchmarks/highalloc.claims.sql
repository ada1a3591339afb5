-- At work the machine gives 58% of its memory in huge pages, at rest 84%
SELECT round(work) = 58 FROM (SELECT "at work, %" AS work, row_number() OVER (ORDER BY "at work, %") AS place
  FROM shown WHERE compaction = 'yes') WHERE place = 3;
SELECT round(rest) = 84 FROM (SELECT "at rest, %" AS rest, row_number() OVER (ORDER BY "at rest, %") AS place
  FROM shown WHERE compaction = 'yes') WHERE place = 3;

-- Without compaction it is 51% and 90%
SELECT round(work) = 51 FROM (SELECT "at work, %" AS work, row_number() OVER (ORDER BY "at work, %") AS place
  FROM shown WHERE compaction = 'no') WHERE place = 3;
SELECT round(rest) = 90 FROM (SELECT "at rest, %" AS rest, row_number() OVER (ORDER BY "at rest, %") AS place
  FROM shown WHERE compaction = 'no') WHERE place = 3;
