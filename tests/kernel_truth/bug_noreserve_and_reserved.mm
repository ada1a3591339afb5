# Pages taken without a reservation where others have one: who gets SIGBUS, and what is left at the end.
machine nodes=2 node_mem=768M
pool 2M node0 3
pool 2M node1 3
spawn p
@p cpu 0
@p map a 6M hugetlb-2M
@p map n 8M hugetlb-2M noreserve
@p touch n
@p touch a
@p advise n 0 2M dontneed
@p touch n
@p map s 6M hugetlb-2M file=s shared noreserve
@p touch s
@p unmap n
@p touch s
@p map s2 6M hugetlb-2M file=s shared
@p touch s2
@p unmap a
@p map b 2M hugetlb-2M file=s
@p touch b
@p fork q
@q map c 4M hugetlb-2M
@q touch c
@q touch s
@p unmap s
@q punch s 0 2M
@q map d 6M hugetlb-2M file=s shared
@q fallocate s 0 6M
@q exit
@p unmap s2
unlink_hugetlb s
@p bind b bind:1
@p advise b 0 2M dontneed
@p touch b
@p map e 8M hugetlb-2M policy=bind:1
@p touch e
@p unmap e
@p policy bind:1
@p map e 8M hugetlb-2M
@p map e 6M hugetlb-2M
@p touch e
pool 2M node1 0
pool 2M node0 0
@p unmap e
@p exit
