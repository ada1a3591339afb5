# Mappings whose size is no multiple of the page, and what is unmapped of them.
machine nodes=1 node_mem=1G
pool 2M node0 8
spawn p
@p cpu 0
@p map a 3M hugetlb-2M
@p touch a
@p touch a 2M 1M r
@p unmap a
@p unmap a 0 2M
@p unmap a
@p map b 1M hugetlb-2M
@p touch b
@p protect b 0 1M r
@p advise b 0 1M dontneed
@p map c 3M hugetlb-2M file=c shared
@p map d 4M hugetlb-2M file=d shared
@p map e 3M hugetlb-2M file=d shared
@p touch e
@p touch d
@p bind e bind:0
@p bind b bind:0
@p unmap e
@p unmap d
unlink_hugetlb d
unlink_hugetlb c
unlink_hugetlb zz
@p map f 6K anon
@p touch f
@p unmap f 1K 4K
@p unmap f 0 4K
@p unmap f
@p touch f
@p map g 4M hugetlb-2M
@p unmap g 0 16M
@p touch g
@p map h 4M hugetlb-2M
@p unmap h 2M 16M
@p touch h
@p unmap h 0 2M
@p touch h
@p unmap h 0 4M
@p touch h
@p exit
