# Policy, advice and mlock on a mapping whose size is no multiple of the page.
machine nodes=1 node_mem=1G
pool 2M node0 8
spawn p
@p map e 3M hugetlb-2M
@p touch e
@p advise e 0 3M dontneed
@p advise e 0 1M hugepage
@p lock e
@p bind e bind:0
@p bind e default
@p protect e 0 1M r
@p exit
