# Unmovable pages that have to go to movable pageblocks raise the watermarks: kswapd takes page cache, kcompactd makes room.
# tolerance 20%
machine nodes=1 node_mem=768M disk=1G
sysctl vm.compaction_proactiveness 0
thp enabled never
spawn p
@p cpu 0
@p map f 200M file file=a
@p read f
@p map a 390M anon
@p touch a
pool 2M all 36
@p advise a 0 390M dontneed 8K
sleep 500
@p pipes q 40M
sleep 500
@p pipes r 48M
sleep 500
@p exit
