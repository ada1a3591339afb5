# nr_hugepages_mempolicy under each mode, and policies of tasks for huge pages.
machine nodes=3 node_mem=768M
spawn p
@p cpu 1
@p pool 2M mempolicy 4
@p policy bind:1-2
@p pool 2M mempolicy 8
@p pool 2M all 10
@p policy preferred:2
@p pool 2M mempolicy 13
@p policy interleave:0,2
@p pool 2M mempolicy 17
@p policy local
@p pool 2M mempolicy 19
@p policy preferred_many:0-1
@p pool 2M mempolicy 22
@p policy bind:0
@p pool 2M mempolicy 14
@p pool 2M mempolicy 10
@p policy preferred:1,2
@p policy preferred
@p pool 2M mempolicy 12
@p pool 2M all 14
@p policy interleave:0-2
@p map a 8M hugetlb-2M
@p touch a
@p fork q
@q map b 6M hugetlb-2M
@q touch b
@p map c 4M hugetlb-2M policy=local
@p touch c
@p map d 4M hugetlb-2M policy=preferred_many:2
@p touch d
@p policy bind:0
@p map e 12M hugetlb-2M
@p map e2 4M hugetlb-2M policy=bind:0
@p touch e2
@p policy default
@p pool 2M mempolicy 6
@p exit
@q exit
pool 2M all 5
